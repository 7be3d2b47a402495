/// The longest prefix of whole characters within so many bytes of UTF-8: what others say in full
/// sentences must not make a record, or the register, too large to be read back.
package func clipped(_ text: String, to limit: Int) -> String {
  guard text.utf8.count > limit else { return text }
  var result = ""
  var bytes = 0
  for character in text {
    bytes += character.utf8.count
    guard bytes <= limit else { break }
    result.append(character)
  }
  return result
}

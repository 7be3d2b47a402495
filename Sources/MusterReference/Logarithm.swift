/// Logarithms in whole numbers, so that every machine computes the same times.
package enum Logarithm {
  private static let bits = 30

  /// log10 of a number from 1 on, in thousand-millionths.
  package static func nanosOfTen(_ number: UInt64) -> Int64 {
    precondition(number > 0, "zero has no logarithm")
    let whole = 63 - number.leadingZeroBitCount
    // From 1 up to 2; each squaring shows one more digit of the binary logarithm.
    var rest = whole > bits ? number >> (whole - bits) : number << (bits - whole)
    var binary = Int64(whole) << bits
    for digit in stride(from: bits - 1, through: 0, by: -1) {
      rest = (rest * rest) >> bits
      guard rest >> (bits + 1) != 0 else { continue }
      rest >>= 1
      binary |= 1 << digit
    }
    return (binary * 301_029_996) >> bits
  }
}

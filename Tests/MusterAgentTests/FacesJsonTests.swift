import MusterAgent
import Testing

@Suite struct FacesJsonTests {
  @Test(arguments: [
    #"{}"#, #"[]"#, #"null"#, #"true"#, #"-12"#, #"9223372036854775807"#, #"0.5"#,
    #"{"b":1,"a":[1,{"c":null}],"":"x"}"#, #""ä€😀 \" \\ \n""#, #""\u001b[31m""#,
  ])
  func `what is written is read, and reads the same`(_ text: String) throws {
    let value = try Json(reading: Array(text.utf8))
    #expect(value.text == text)
    #expect(try Json(reading: value.bytes) == value)
  }

  @Test func `escapes and spaces of other writers are understood`() throws {
    let text = " { \"a\" : \"\\u00e4\\ud83d\\ude00\\/\\b\\f\" , \"n\" : 1e2 } \n"
    let value = try Json(reading: Array(text.utf8))
    #expect(value["a"]?.string == "ä😀/\u{8}\u{c}")
    #expect(value["n"] == .number(100))
  }

  @Test(arguments: [
    "", " ", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "[1 2]", "01", "+1", "1.", ".5", "1e",
    "-", "nul", "truee", "\"a", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"",
    "\"\u{1}\"", "1 1", "{\"a\":1,\"a\":2}", "1e999", "'a'", "[1]//",
  ])
  func `what is no JSON is refused with its place`(_ text: String) {
    let error = #expect(throws: JsonError.self) { _ = try Json(reading: Array(text.utf8)) }
    #expect(error.map { $0.offset <= text.utf8.count } == true)
  }

  @Test func `depth and encoding have limits`() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: JsonError.self) { _ = try Json(reading: Array(deep.utf8)) }
    let fits = String(repeating: "[", count: 31) + String(repeating: "]", count: 31)
    #expect(throws: Never.self) { _ = try Json(reading: Array(fits.utf8)) }
    #expect(throws: JsonError.self) { _ = try Json(reading: [34, 0xff, 0xfe, 34]) }
  }

  @Test func `every truncation of a value is refused without a trap`() throws {
    let whole = Array(#"{"a":[1,-2.5e3,"x\u00e4\ud83d\ude00"],"b":{"c":true,"d":null}}"#.utf8)
    for count in 0..<whole.count {
      #expect(throws: JsonError.self) { _ = try Json(reading: Array(whole.prefix(count))) }
    }
    for index in whole.indices {
      for byte in UInt8.min...UInt8.max {
        var changed = whole
        changed[index] = byte
        guard let value = try? Json(reading: changed) else { continue }
        #expect(try Json(reading: value.bytes) == value)
      }
    }
  }
}

import MusterProtocol
import MusterReference
import Testing

@Suite struct ScheduleTests {
  @Test func `logarithms are exact to a millionth`() {
    #expect(Logarithm.nanosOfTen(1) == 0)
    for (number, wanted): (UInt64, Int64) in [
      (2, 301_029_996), (10, 1_000_000_000), (128, 2_107_209_970), (1_000, 3_000_000_000),
      (16_384, 4_214_419_939),
    ] {
      #expect(abs(Logarithm.nanosOfTen(number) - wanted) < 1_000, "\(number)")
    }
  }

  @Test(arguments: [(128, 12), (999, 12), (1_000, 16), (10_000, 20)])
  func `an update is sent so often`(count: Int, sends: Int) {
    #expect(ReferenceSettings().transmissions(count) == sends)
  }

  @Test(arguments: [(8, 4_000), (32, 6_020), (128, 8_428), (1_000, 12_000), (10_000, 16_000)])
  func `a confirmed suspicion ends after four decades`(count: Int, milliseconds: Int64) {
    let settings = ReferenceSettings()
    let times = (0...2).map { settings.suspicionTime(count, confirmed: $0) }
    #expect(abs(times[2].milliseconds - milliseconds) <= 4)
    #expect(abs((times[0] - times[2] * 6).milliseconds) <= 1)
    #expect(times[0] > times[1] && times[1] > times[2])
    var swim = settings
    swim.parts = []
    #expect(swim.suspicionTime(count, confirmed: 0) == times[2])
  }

  @Test(arguments: [(32, 30), (33, 60), (64, 60), (1_000, 180), (10_000, 300)])
  func `whole states are exchanged so rarely`(count: Int, seconds: Int64) {
    #expect(ReferenceSettings().pushPull(count) == .seconds(seconds))
  }
}

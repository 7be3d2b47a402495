@main
enum MusterFetch {
  static func main() {}
}

import MusterAgent
import MusterSystem

@main
enum Muster {
  static func main() {
    let program = CommandProgram(
      console: Console.standard,
      joints: CommandJoints { options, services in Daemon.run(options, services: services) },
      further: [SimulateCommand.rule, ReplayCommand.rule])
    endProcess(program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
  }
}

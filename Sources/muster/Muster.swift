import MusterAgent
import MusterSystem

@main
enum Muster {
  static func main() {
    let console = Console.standard
    let program = CommandProgram(
      console: console,
      joints: CommandJoints { _, _ in
        // The driver is joined here: open the ground, make the agent, its faces, and serve.
        console.complain("muster agent: this build has no agent\n")
        return 1
      })
    endProcess(program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
  }
}

// The entry point of the command line: loads and runs a command, and reports errors with an exit code.
import { flushCompileCache } from "node:module";
import { Command, CommanderError } from "commander";
import pc from "picocolors";
import { realWorld } from "../machinery/real-world.ts";
import { CliError } from "./cli-error.ts";

type CommandFile = () => Promise<{ readonly register: (program: Command) => void }>;

/** The modules of commands. Only the needed one is loaded, for a quick start. */
const commands: Readonly<Record<string, CommandFile>> = {
  up: () => import("./commands/up.ts"),
  down: () => import("./commands/down.ts"),
  status: () => import("./commands/status.ts"),
  kubeconfig: () => import("./commands/kubeconfig.ts"),
  node: () => import("./commands/node.ts"),
  image: () => import("./commands/image.ts"),
  "component-logs": () => import("./commands/component-logs.ts"),
  apply: () => import("./commands/apply.ts"),
  get: () => import("./commands/get.ts"),
  describe: () => import("./commands/describe.ts"),
  delete: () => import("./commands/delete.ts"),
  logs: () => import("./commands/logs.ts"),
  exec: () => import("./commands/exec.ts"),
  scale: () => import("./commands/scale.ts"),
  rollout: () => import("./commands/rollout.ts"),
  top: () => import("./commands/top.ts"),
  events: () => import("./commands/events.ts"),
  completion: () => import("./commands/completion.ts"),
  server: () => import("./commands/server.ts"),
  agent: () => import("./commands/agent.ts"),
  demo: () => import("./commands/demo.ts"),
  test: () => import("./commands/test.ts"),
};

const newProgram = (): Command =>
  new Command("orrery")
    .description("Kubernetes as one readable TypeScript program: a real cluster on this machine.")
    .showHelpAfterError("(orrery --help lists the commands)")
    .showSuggestionAfterError(true)
    .exitOverride();

const load = async (program: Command, args: readonly string[]): Promise<void> => {
  const command = args[0] === undefined ? undefined : commands[args[0]];
  // Help, completion and suggestions for mistyped names need all commands.
  const files = command === undefined || args[0] === "completion" ? Object.values(commands) : [command];
  for (const file of await Promise.all(files.map((open) => open()))) file.register(program);
};

// Long-lived commands flush the compile cache after their start, so that they restart quickly after a crash.
const longLived: readonly string[] = ["server", "agent"];

const reportError = (error: unknown, wantsStack: boolean): number => {
  // Commander has printed its own message.
  if (error instanceof CommanderError) return error.exitCode;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${pc.red("error:")} ${message}\n`);
  if (error instanceof CliError && error.advice !== undefined) process.stderr.write(`${error.advice}\n`);
  else if (!(error instanceof CliError) && wantsStack) console.error(error);
  return 1;
};

const main = async (args: readonly string[]): Promise<void> => {
  const program = newProgram();
  const ended = new AbortController();
  const isLongLived = longLived.includes(args[0] ?? "");
  if (isLongLived) {
    const { clock } = realWorld(() => {});
    clock.sleep(3000, ended.signal).then(flushCompileCache, () => {});
  }
  try {
    await load(program, args);
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    process.exitCode = reportError(error, isLongLived || process.env["ORRERY_DEBUG"] !== undefined);
  }
  ended.abort();
  flushCompileCache();
  // A component whose parts failed must exit, even with open handles, so that its supervisor restarts it.
  if (isLongLived) process.exit();
};

// A closed pipe, for example by `head`, is not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
await main(process.argv.slice(2));

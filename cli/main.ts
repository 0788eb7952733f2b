// The command line's door: finds the command's file, runs it, and turns failures into words and exit codes.
import { flushCompileCache } from "node:module";
import { Command, CommanderError } from "commander";
import pc from "picocolors";
import { realWorld } from "../machinery/real-world.ts";
import { CliError } from "./cli-error.ts";

type CommandFile = () => Promise<{ readonly register: (program: Command) => void }>;

/** Every command and the file that knows it; only the file that is needed is loaded, so that each starts quickly. */
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
  const wanted = args[0] === undefined ? undefined : commands[args[0]];
  // Help, completion and mistyped names need to know them all.
  const files = wanted === undefined || args[0] === "completion" ? Object.values(commands) : [wanted];
  for (const file of await Promise.all(files.map((open) => open()))) file.register(program);
};

// Those that run for days would never write down what they compiled, and be slow to start again after a crash.
const longLived: readonly string[] = ["server", "agent"];

const complain = (error: unknown, wantsStack: boolean): number => {
  // Commander has said what there is to say.
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
    process.exitCode = complain(error, isLongLived || process.env["ORRERY_DEBUG"] !== undefined);
  }
  ended.abort();
  flushCompileCache();
  // What is left of a component that lost a part must not look alive: its supervisor starts it anew.
  if (isLongLived) process.exit();
};

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
await main(process.argv.slice(2));

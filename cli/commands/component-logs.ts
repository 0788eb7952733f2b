// orrery component-logs: prints or follows the logs of a cluster's components.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { componentOf, type LogSource, logPath, logSource, logSources, readable } from "../cluster/logs.ts";
import { nodesNamed, runningNodes } from "../cluster/nodes.ts";
import { parseCount } from "../cluster/size.ts";
import { requireState } from "../cluster/state.ts";
import { withCluster } from "./cluster-option.ts";

interface Flags {
  readonly name: string;
  readonly node?: string;
  readonly follow?: boolean;
  readonly tail: string;
  readonly output?: string;
}

const nodesOf = (source: LogSource, { name, node }: Flags): Promise<readonly string[]> =>
  node === undefined ? runningNodes(name, source.role) : nodesNamed(name, [node]);

const stream = (node: string, source: LogSource, flags: Flags, print: (line: string) => void): Promise<number> =>
  new Promise((resolve, reject) => {
    const follow = flags.follow === true ? ["-F"] : [];
    // A process may contain several components, so lines are counted after filtering.
    const lines = source.only === undefined ? flags.tail : "+1";
    const tail = ["tail", "-q", ...follow, "-n", lines, logPath(source)];
    const child = spawn("docker", ["exec", node, ...tail], { stdio: ["ignore", "pipe", "inherit"] });
    const lastLines: string[] = [];
    let printed = 0;
    createInterface({ input: child.stdout }).on("line", (line) => {
      const component = componentOf(line);
      if (source.only !== undefined && component !== undefined && component !== source.only) return;
      if (flags.follow === true || source.only === undefined) {
        printed++;
        print(line);
      } else if (lastLines.push(line) > Number(flags.tail)) lastLines.shift();
    });
    child.on("error", reject);
    child.on("close", (code) => {
      lastLines.forEach(print);
      if (code === 0 && printed === 0 && lastLines.length === 0)
        process.stderr.write(`${node}: ${source.only ?? source.file} has logged nothing\n`);
      resolve(code ?? 0);
    });
  });

const show = async (name: string, flags: Flags): Promise<void> => {
  await requireState(flags.name);
  parseCount(flags.tail, "lines", 0, 1_000_000);
  if (flags.output !== undefined && flags.output !== "json")
    throw new CliError(`logs cannot be printed as "${flags.output}"`, "Choose -o json.");
  const source = logSource(name);
  const nodes = await nodesOf(source, flags);
  const codes = await Promise.all(
    nodes.map((node) =>
      stream(node, source, flags, (line) => {
        const text = flags.output === "json" ? line : readable(line);
        process.stdout.write(nodes.length > 1 && flags.output !== "json" ? `${node}  ${text}\n` : `${text}\n`);
      }),
    ),
  );
  if (codes.some((code) => code !== 0)) process.exitCode = 1;
};

/** Adds `component-logs` to the program. */
export const register = (program: Command): void => {
  withCluster(program.command("component-logs <component>"))
    .summary("print the log of a component")
    .description(
      `Prints the log of a component, from every node that runs it. Components: ${Object.keys(logSources).join(", ")}.`,
    )
    .option("--node <node>", "only on this node")
    .option("-f, --follow", "print new lines as they are written")
    .option("--tail <n>", "how many of the last lines", "100")
    .option("-o, --output <format>", "json prints the lines as they were written")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery component-logs scheduler -f\n  orrery component-logs kubelet --node 2 --tail 20",
    )
    .action(show);
};

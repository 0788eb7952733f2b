// Runs the system's network tools: ip, nft, conntrack, sysctl.
import { spawn } from "node:child_process";

/** Resolves with the standard output; rejects with the standard error. `input` is the standard input. */
export type Run = (tool: string, args: readonly string[], input?: string) => Promise<string>;

/** Runs a tool in a child process. */
export const runTool: Run = (tool, args, input) =>
  new Promise((resolve, reject) => {
    const child = spawn(tool, args, { stdio: ["pipe", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0
        ? resolve(stdout)
        : reject(new Error(`${tool} ${args.join(" ")}: ${stderr.trim() || `exit code ${code}`}`)),
    );
    // A tool that exits before it has read its input breaks the pipe; its exit code has the reason.
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
  });

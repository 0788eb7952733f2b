// Runs the machine's own tools (ip, nft, conntrack), which are the kernel's API as far as networks go.
import { spawn } from "node:child_process";

/** Resolves with what the tool printed; rejects with what it complained of. `input` goes to its standard input. */
export type Run = (tool: string, args: readonly string[], input?: string) => Promise<string>;

/** The real thing; tests hand in a recorder of what was asked. */
export const runTool: Run = (tool, args, input) =>
  new Promise((resolve, reject) => {
    const child = spawn(tool, args, { stdio: ["pipe", "pipe", "pipe"] });
    let [out, complaint] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint += text;
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0
        ? resolve(out)
        : reject(new Error(`${tool} ${args.join(" ")}: ${complaint.trim() || `exit code ${code}`}`)),
    );
    // A tool that ends before it has read everything says so by its exit code.
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
  });

// Finds the kubectls of this machine and runs them as a user would.
import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** A kubectl, and what to call it in a test's name. */
export interface Kubectl {
  readonly name: string;
  readonly path: string;
}
/** What a command said, and how it ended. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What a kubectl says of its own version: `kubectl.1.36`. */
function nameOf(path: string): string {
  const version = JSON.parse(execFileSync(path, ["version", "--client", "-o", "json"], { encoding: "utf8" }));
  return `kubectl.1.${Number.parseInt(version.clientVersion.minor, 10)}`;
}

/** The minor versions that are kept beside each other as `kubectl.1.NN`; else the one on the PATH; else none. */
export function kubectls(oldest = 30): readonly Kubectl[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = folders.map((folder) => join(folder, "kubectl")).find(existsSync);
  if (found === undefined) return [];
  const home = dirname(realpathSync(found));
  const minor = (name: string): number => Number(/^kubectl\.1\.(\d+)$/.exec(name)?.[1] ?? 0);
  const versioned = readdirSync(home).filter((name) => minor(name) >= oldest);
  if (versioned.length === 0) return [{ name: nameOf(found), path: found }];
  return versioned.toSorted().map((name) => ({ name, path: join(home, name) }));
}

/** Where a kubectl works: what it knows of servers, and where it keeps what they told it. */
export interface Desk {
  /** Plugins are found beside it. */
  readonly kubeconfig: string;
  /** Desks that share a home need not ask a server again what it serves. */
  readonly home: string;
}

/** A desk at which nothing else is done. */
export const deskOf = (kubeconfig: string): Desk => ({ kubeconfig, home: dirname(kubeconfig) });

const environment = ({ kubeconfig, home }: Desk): NodeJS.ProcessEnv => {
  const path = [dirname(kubeconfig), process.env["PATH"]].join(delimiter);
  return { ...process.env, PATH: path, KUBECONFIG: kubeconfig, HOME: home, KUBE_EDITOR: "sed -i s/old/new/" };
};

/** Longer than any command takes on a machine that has much to do. */
const patience = 60;

/** Runs a command line (words split at spaces), or words as they are. */
export function runner({ path }: Kubectl, desk: Desk) {
  return (words: string | readonly string[], stdin = "", seconds = patience): Promise<Said> =>
    new Promise((resolve) => {
      const args = typeof words === "string" ? words.split(" ") : words;
      const options = { env: environment(desk), timeout: seconds * 1000, maxBuffer: 64 * 1024 * 1024 };
      const child = execFile(path, args, options, (error, out, err) => {
        resolve({ code: error ? Number(error.code ?? 1) : 0, out, err });
      });
      // A command may end without having read its input.
      child.stdin?.on("error", () => {});
      child.stdin?.end(stdin);
    });
}

/** Runs a command line at a terminal, where somebody types; everything it says comes out as one. */
export function atTerminal({ path }: Kubectl, desk: Desk) {
  return (words: string, typed = "", seconds = patience): Promise<Said> =>
    new Promise((resolve) => {
      const options = { env: environment(desk), timeout: seconds * 1000 };
      const child = execFile("script", ["-qec", `${path} ${words}`, "/dev/null"], options, (error, out, err) => {
        resolve({ code: error ? Number(error.code ?? 1) : 0, out, err });
      });
      child.stdin?.write(typed);
      // A terminal that is hung up ends what runs at it: it stays until the command has ended by itself.
      child.on("exit", () => child.stdin?.end());
    });
}

/** A command that goes on. */
export interface Running {
  /** Waits for it to have said something like this. */
  hears(pattern: RegExp): Promise<RegExpExecArray>;
  /** How it ends by itself. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

/** Runs a command line until it ends or is told to stop, and hands out what it says. */
export function started({ path }: Kubectl, desk: Desk, words: string): Running {
  const child = spawn(path, words.split(" "), { env: environment(desk), stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let text = "";
  return {
    ended,
    async hears(pattern) {
      const before = pattern.exec(text);
      if (before) return before;
      for await (const data of child.stdout.iterator({ destroyOnReturn: false })) {
        text += data;
        const found = pattern.exec(text);
        if (found) return found;
      }
      throw new Error(`${words} ended without saying ${pattern}: ${text}`);
    },
    async stop() {
      child.kill();
      await ended;
    },
  };
}

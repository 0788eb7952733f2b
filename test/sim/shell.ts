// The few words of shell a simulated container understands: enough to live, to speak, to listen and to die.
import type { Clock } from "../../machinery/world.ts";

/** A process being simulated. */
export interface ShellContext {
  readonly clock: Clock;
  readonly env: ReadonlyMap<string, string>;
  readonly hostname: string;
  /** Resolves when there is room for more. */
  readonly write: (text: string | Uint8Array) => Promise<void> | void;
  readonly complain: (text: string) => void;
  /** What it is given to read, if anything. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** The size of its terminal, once it has one. */
  readonly size?: () => Promise<string>;
  /** Rejects a sleep when the process is told to go. */
  readonly told: AbortSignal;
}

/** Why a process ends although its script has more to do. */
export class Killed extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

const expanded = (word: string, env: ReadonlyMap<string, string>): string =>
  word.replace(/\$(\w+)/g, (_, name: string) => env.get(name) ?? "");

/** The exit code a script promises to end with when it is asked to terminate; none when it does not listen. */
export const trapOf = (script: string): number | undefined => {
  const code = /trap 'exit (\d+)' TERM/.exec(script)?.[1];
  return code === undefined ? undefined : Number(code);
};

const longest = 64 * 1024;

/** An archive of one file, as tar writes it. */
function archive(name: string, text: string): Uint8Array {
  const head = Buffer.alloc(512);
  const octal = (value: number, size: number): string => value.toString(8).padStart(size - 1, "0");
  const fields = [
    [0, name],
    [100, octal(0o644, 8)],
    [124, octal(text.length, 12)],
    [136, octal(0, 12)],
    [148, "        "],
    [156, "0"],
    [257, "ustar\u000000"],
  ] as const;
  for (const [at, value] of fields) head.write(value, at);
  head.write(
    `${octal(
      head.reduce((sum, byte) => sum + byte, 0),
      7,
    )}\0 `,
    148,
  );
  const content = Buffer.alloc(Math.ceil(text.length / 512) * 512);
  content.write(text);
  return Buffer.concat([head, content, Buffer.alloc(1024)]);
}

/** What ends in a number ends the script with it. */
type Word = (argument: string, c: ShellContext) => unknown;
const words: Readonly<Record<string, Word>> = {
  echo: (argument, c) => {
    const [text, aloud] = argument.split(" >&2");
    if (aloud === undefined) return c.write(`${text}\n`);
    c.complain(`${text}\n`);
  },
  exit: (argument) => Number(argument),
  hostname: (_, c) => c.write(`${c.hostname}\n`),
  sleep: (argument, c) => c.clock.sleep(Number(argument) * 1_000, c.told),
  while: (_, c) => c.clock.sleep(2 ** 30, c.told),
  /** Repeats what it reads. */
  async cat(_, c) {
    for await (const data of c.input ?? []) await c.write(data);
  },
  /** Waits for a line. */
  async read(_, c) {
    for await (const data of c.input ?? []) if (data.includes(10) || data.includes(13)) return;
  },
  /** Packs one file, which says who one is, or takes what is unpacked for granted. */
  async tar(argument, c) {
    const [how = "", , path = ""] = argument.split(/\s+/);
    if (how.includes("c")) return c.write(archive(path.replace(/^\//, ""), `${c.hostname}\n`));
    for await (const _ of c.input ?? []);
  },
  /** Counts what it reads. */
  async wc(_, c) {
    let size = 0;
    for await (const data of c.input ?? []) size += data.length;
    await c.write(`${size}\n`);
  },
  /** `yes 1000000` says that many letters. */
  async yes(argument, c) {
    for (let left = Number(argument); left > 0; left -= longest)
      await c.write(Buffer.alloc(Math.min(left, longest), "y"));
  },
  /** `stty size`, once there is one. */
  async stty(_, c) {
    await c.write(`${await c.size?.()}\n`);
  },
};

/** Runs a script to its end; resolves with the exit code. */
export async function runScript(script: string, c: ShellContext): Promise<number> {
  for (const statement of script.split(";").map((s) => s.trim())) {
    const [word = "", ...rest] = statement.split(/\s+/);
    const code = await words[word]?.(expanded(rest.join(" "), c.env), c);
    if (typeof code === "number") return code;
  }
  return 0;
}

/** Whether there is a program of this name. */
export const isProgram = (word: string): boolean => word === "sh" || (word in words && word !== "while");

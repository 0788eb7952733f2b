// Formats lines of component logs: JSON as pino writes it, and other programs' lines unchanged.

/** A line in pino's format. */
interface Entry {
  readonly level: number;
  readonly time: number;
  readonly component?: string;
  readonly msg: string;
  readonly rest: Readonly<Record<string, unknown>>;
}

/** Names of pino's levels 10, 20, ... 60. */
const levels = ["trace", "debug", "info", "warn", "error", "fatal"];

const parse = (line: string): Entry | undefined => {
  if (!line.startsWith("{")) return undefined;
  try {
    const { level, time, component, msg, pid: _pid, hostname: _hostname, ...rest } = JSON.parse(line);
    return typeof level === "number" && typeof time === "number"
      ? { level, time, component, msg: msg ?? "", rest }
      : undefined;
  } catch {
    // A line truncated by a crash.
    return undefined;
  }
};

const field = ([name, value]: [string, unknown]): string =>
  `${name}=${typeof value === "string" && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`;

/** The component that wrote a line, if the line contains it. */
export const componentOf = (line: string): string | undefined => parse(line)?.component;

/** A line as time, level, component, message and fields. Lines in other formats pass unchanged. */
export const readable = (line: string): string => {
  const entry = parse(line);
  if (entry === undefined) return line;
  const time = new Date(entry.time).toISOString().slice(11, 23);
  const level = (levels[entry.level / 10 - 1] ?? String(entry.level)).padEnd(5);
  const parts = [time, level, entry.component ?? "-", entry.msg, ...Object.entries(entry.rest).map(field)];
  return parts.filter((part) => part !== "").join(" ");
};

// Lines of component logs: JSON as pino writes it, or whatever a foreign program says, made readable.

/** A line that was written as JSON with a `component` of ours. */
interface Entry {
  readonly level: number;
  readonly time: number;
  readonly component?: string;
  readonly msg: string;
  readonly rest: Readonly<Record<string, unknown>>;
}

const levels: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

const parse = (line: string): Entry | undefined => {
  if (!line.startsWith("{")) return undefined;
  try {
    const { level, time, component, msg, pid: _pid, hostname: _hostname, ...rest } = JSON.parse(line);
    return typeof level === "number" && typeof time === "number"
      ? { level, time, component, msg: msg ?? "", rest }
      : undefined;
  } catch {
    // A line cut off by a crash is shown as it is.
    return undefined;
  }
};

const field = ([name, value]: [string, unknown]): string =>
  `${name}=${typeof value === "string" && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`;

/** The component a line speaks for, when it says so itself. */
export const componentOf = (line: string): string | undefined => parse(line)?.component;

/** One line for people: time, level, component, message, fields. Foreign lines pass unchanged. */
export const readable = (line: string): string => {
  const entry = parse(line);
  if (entry === undefined) return line;
  const time = new Date(entry.time).toISOString().slice(11, 23);
  const level = (levels[entry.level] ?? String(entry.level)).padEnd(5);
  const words = [time, level, entry.component ?? "-", entry.msg, ...Object.entries(entry.rest).map(field)];
  return words.filter((word) => word !== "").join(" ");
};

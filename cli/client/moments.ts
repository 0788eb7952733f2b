// Moments of the past, as commands take them with --at: a duration before now, a time, or a revision.
import { parseDuration } from "../../api/duration.ts";
import { hasReason } from "../../api/errors.ts";
import type { HistoryPoint } from "../../api/explanation/history.ts";
import { type Instant, instant, instantOf } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "./connection.ts";
import { query } from "./resources.ts";

/** A revision, and the time it stands for: the requested one, or that of the commit. */
export interface Moment {
  readonly revision: number;
  readonly time: Instant;
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

const noMoment = (text: string): CliError =>
  new CliError(
    `"${text}" is no moment of the past`,
    "Write how long ago, such as 10m, a time such as 2026-01-31T12:00:00Z, or a revision such as 4711.",
  );

/** Asks the server for a point of its history. Throws CliError for a server that keeps none. */
async function pointOf(api: Connection, parameters: Readonly<Record<string, string>>): Promise<HistoryPoint> {
  try {
    return await api.get<HistoryPoint>(`/history/revisions${query(parameters)}`);
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
    throw new CliError("this server keeps no history that can be read", "Only servers of Orrery do.");
  }
}

/** The moment of a text. Throws CliError for one that is none, ApiError for one that is not kept. */
export async function momentOf(api: Connection, text: string, now: Instant): Promise<Moment> {
  if (/^\d+$/.test(text)) {
    const { revision, time } = await pointOf(api, { revision: text });
    return { revision, time: instantOf(time) };
  }
  const ago = parseDuration(text);
  const time = typeof ago === "number" ? instant(now - ago) : rfc3339.test(text) ? instantOf(text) : Number.NaN;
  if (Number.isNaN(time) || (typeof ago === "number" && ago < 0)) throw noMoment(text);
  const { revision } = await pointOf(api, { time: new Date(time).toISOString() });
  return { revision, time: instant(time) };
}

/** The parameters of a list as it was at a moment, with the ages of that time. */
export const listAt = ({ revision, time }: Moment) => ({
  resourceVersion: revision,
  resourceVersionMatch: "Exact",
  ageAt: new Date(time).toISOString(),
});

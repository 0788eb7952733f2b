// What a describer is: a pure function from an object, and what was read beside it, to lines.
import type { ApiObject, Instant } from "../../api/meta.ts";
import type { Lines } from "./layout.ts";

/** Reads what an object refers to. */
export interface Reader {
  /** Throws ApiError when the server refuses. */
  get<T>(path: string): Promise<T>;
  /** The items of a list. */
  list<T>(path: string): Promise<readonly T[]>;
}

export interface DescribeContext<Related = undefined> {
  readonly now: Instant;
  readonly related: Related;
}

/** Describes objects of one kind. Events are added by the caller. */
export interface Describer<T extends ApiObject, Related = undefined> {
  /** Reads what the lines need beside the object. */
  readonly related?: (object: T, api: Reader) => Promise<Related>;
  readonly lines: (object: T, context: DescribeContext<Related>) => Lines;
  /** Whether the description ends without events, as for objects that have none. */
  readonly hasNoEvents?: boolean;
}

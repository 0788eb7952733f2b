// Reads an object as a description or as YAML.
import type { ApiObject } from "../../../api/meta.ts";
import { describe } from "../../describe/describe.ts";
import { objectPrinter } from "../../printers/output.ts";
import { printable } from "../cells.ts";
import type { ObjectRef } from "../state.ts";
import { type Reading, refPath } from "./source.ts";

const publishText = ({ publish }: Reading, text: string): void =>
  publish({ type: "lines", lines: text.trimEnd().split("\n").map(printable), replaces: true });

/** Publishes the description of an object, with its events. Throws ApiError or CliError. */
export async function readDescription(of: ObjectRef, reading: Reading): Promise<void> {
  const { api } = reading.session;
  const object = await api.get<ApiObject>(refPath(of));
  publishText(reading, await describe(object, { api, now: reading.clock.now(), showEvents: true }));
}

/** Publishes an object as YAML, without its managed fields. Throws ApiError or CliError. */
export async function readYaml(of: ObjectRef, reading: Reading): Promise<void> {
  const print = await objectPrinter({ output: "yaml" }, ["yaml"]);
  publishText(reading, print(await reading.session.api.get<ApiObject>(refPath(of))));
}

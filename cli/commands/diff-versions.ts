// Two versions of objects, compared by a program as `kubectl diff` does: in two folders, a file per object.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { lastApplied } from "../client/last-applied.ts";
import { apiVersionOf } from "../client/resources.ts";
import type { Target } from "../client/targets.ts";
import { yamlText } from "../printers/yaml.ts";
import type { Environment } from "../program/global-flags.ts";

type Data = Readonly<Record<string, string>>;
type Shown = ApiObject & { readonly data?: Data };

/** Two versions of an object, as far as it exists. */
export interface Versions {
  readonly before: Shown | undefined;
  readonly after: Shown | undefined;
}
/** Of which object they are. */
export interface NamedVersions extends Versions {
  readonly target: Target;
}

/** The object without what every apply changes. */
export const shown = (object: ApiObject, { showManagedFields }: { readonly showManagedFields?: boolean }): Shown => {
  const { managedFields, annotations, ...metadata } = object.metadata;
  const { [lastApplied]: _, ...others } = annotations ?? {};
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(Object.keys(others).length > 0 ? { annotations: others } : {}),
      ...(showManagedFields ? { managedFields } : {}),
    },
  } as ApiObject;
};

/** The values of a secret as asterisks, which tell only whether a value differs. */
function masked(data: Data | undefined, other: Data | undefined, side: "before" | "after"): Data | undefined {
  if (data === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => {
      const differs = other !== undefined && other[key] !== undefined && other[key] !== value;
      return [key, differs ? `*** (${side})` : "***"];
    }),
  );
}

/** The versions of a secret without its values. */
export function withoutSecrets({ before, after }: Versions): Versions {
  if ((before ?? after)?.kind !== "Secret") return { before, after };
  return {
    before: before && { ...before, data: masked(before.data, after?.data, "before") ?? {} },
    after: after && { ...after, data: masked(after.data, before?.data, "after") ?? {} },
  };
}

/** `apps.v1.Deployment.default.web`. */
const fileName = ({ resource, namespace = "", name }: Target): string =>
  [...apiVersionOf(resource).split("/"), resource.kind, namespace, name].join(".");

/** The program that compares two folders, and its arguments. */
function programOf({ KUBECTL_EXTERNAL_DIFF: external }: Environment): readonly [string, ...string[]] {
  const [program, ...args] = (external ?? "").split(" ").filter((word) => word !== "");
  if (program === undefined) return ["diff", "-u", "-N"];
  // What a shell would interpret is left out, as kubectl leaves it out.
  return [program, ...args.filter((word) => /^[a-zA-Z0-9-=]+$/.test(word))];
}

/** Runs the program. Resolves with its exit code: 0 without differences, 1 with some, more after an error. */
function compare([program, ...args]: readonly [string, ...string[]], folders: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args, ...folders], { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      process.stdout.write(stdout);
      process.stderr.write(stderr);
      if (error && typeof error.code !== "number")
        reject(new CliError(`failed to run ${JSON.stringify(program)}: ${error.message}`, undefined, { exitCode: 2 }));
      else resolve(error ? Number(error.code) : 0);
    });
    child.stdin?.end();
  });
}

/** Compares all versions. Resolves with the exit code of the program; the prefixes are those of the folders. */
export async function compareVersions(
  versions: readonly NamedVersions[],
  environment: Environment,
  prefixes: readonly [before: string, after: string],
): Promise<number> {
  const folders = await Promise.all(prefixes.map((prefix) => mkdtemp(join(tmpdir(), prefix))));
  try {
    for (const { target, before, after } of versions)
      for (const [i, object] of [before, after].entries())
        await writeFile(join(folders[i]!, fileName(target)), object === undefined ? "" : yamlText(object));
    return await compare(programOf(environment), folders);
  } finally {
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
  }
}

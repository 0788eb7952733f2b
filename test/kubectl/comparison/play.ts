// Runs the command lines of a section by one program, against a server of its own that holds the objects of `seed.yaml`.
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { type ApiObject, type Draft, instant } from "../../../api/meta.ts";
import { realWorld } from "../../../machinery/real-world.ts";
import type { World } from "../../../machinery/world.ts";
import { seeded } from "../../sim/virtual-clock.ts";
import { listeningServer, type TestServer } from "../../suites/listening.ts";
import type { Section } from "./lines.ts";
import { changesBetween, objectsOf, type Outcome } from "./outcome.ts";

const folder = join(import.meta.dirname, "files");
const seed = readFileSync(join(import.meta.dirname, "seed.yaml"), "utf8");
const daysMs = 24 * 3600 * 1000;
const limitSeconds = 60;

/**
 * A clock that stands still, so that ages the server prints are 0s, and those a program prints are 3d; and the same
 * random numbers, uids and addresses for the same requests.
 */
function frozenWorld(): World {
  const world = realWorld(() => {});
  const now = instant(Date.now() - 3 * daysMs);
  return { ...world, random: seeded(1), clock: { ...world.clock, now: () => now } };
}

/** The object with these fields in its status. */
function withStatus(object: ApiObject & { readonly status?: object }, status: object): ApiObject {
  const changed = { ...object, status: { ...object.status, ...status } };
  return changed;
}

/** The draft with the uids of its owners, which `seed.yaml` names before their dependents. */
function withOwners<T extends Draft<ApiObject>>(draft: T, created: readonly ApiObject[]): T {
  const { namespace, ownerReferences } = draft.metadata ?? {};
  if (!ownerReferences) return draft;
  const references = ownerReferences.map((reference) => {
    const owner = created.find(
      ({ kind, metadata }) =>
        kind === reference.kind && metadata.name === reference.name && metadata.namespace === namespace,
    );
    if (!owner) throw new Error(`seed.yaml: no ${reference.kind} ${reference.name} before its dependents`);
    return { ...reference, uid: owner.metadata.uid };
  });
  return { ...draft, metadata: { ...draft.metadata, ownerReferences: references } };
}

/** Creates the objects of `seed.yaml`, with their status. */
async function createSeed({ kinds, inProcess }: TestServer): Promise<void> {
  const all: ApiObject[] = [];
  for (const document of parseAllDocuments(seed)) {
    const draft = document.toJS() as Draft<ApiObject> & { readonly kind: string; readonly status?: object };
    const kind = kinds.ofKind(draft.apiVersion ?? "", draft.kind);
    if (!kind) throw new Error(`seed.yaml: no kind ${draft.apiVersion} ${draft.kind}`);
    const created = await inProcess.create(kind, withOwners(draft, all));
    all.push(created);
    if (draft.status && kind.subresources.includes("status"))
      await inProcess.update(kind, withStatus(created, draft.status), "status");
  }
}

/** A program as the command lines find it, under the name `k`. */
export interface Program {
  readonly path: string;
}

/** A shell line of a program, in a home of its own. */
function runner(program: Program, home: string, kubeconfig: string) {
  const bin = join(home, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "k"), `#!/bin/sh\nexec "${program.path}" "$@"\n`);
  chmodSync(join(bin, "k"), 0o755);
  const env = {
    ...process.env,
    PATH: [bin, process.env["PATH"]].join(delimiter),
    HOME: home,
    KUBECONFIG: kubeconfig,
    NODE_COMPILE_CACHE: join(homedir(), ".orrery/cache/compiled"),
    // The environment of a test runner, which programs react to.
    NODE_ENV: undefined,
    VITEST: undefined,
    FORCE_COLOR: undefined,
  };
  return (line: string): Promise<Omit<Outcome, "changes">> =>
    new Promise((resolve) => {
      const options = { env, cwd: folder, maxBuffer: 64 * 1024 * 1024 };
      // It ends all processes of the line, of which the shell is only one.
      const child = execFile("timeout", [`${limitSeconds}`, "sh", "-c", line], options, (error, out, err) => {
        resolve({ code: error ? Number(error.code ?? 1) : 0, out, err });
      });
      child.stdin?.end();
    });
}

/** The outcomes of the lines of a section, in their order. */
export async function play(program: Program, { lines }: Section): Promise<readonly Outcome[]> {
  const server = await listeningServer({ world: frozenWorld() });
  const home = mkdtempSync(join(tmpdir(), "orrery-comparison-"));
  const kubeconfig = join(home, "kubeconfig");
  writeFileSync(kubeconfig, readFileSync(server.kubeconfig));
  try {
    await createSeed(server);
    const run = runner(program, home, kubeconfig);
    const outcomes: Outcome[] = [];
    let revision = await server.inProcess.revision();
    let before = await objectsOf(server);
    for (const { line } of lines) {
      const result = await run(line);
      const current = await server.inProcess.revision();
      const after = current === revision ? before : await objectsOf(server);
      revision = current;
      outcomes.push({ ...result, changes: changesBetween(before, after) });
      before = after;
    }
    return outcomes;
  } finally {
    await server.close();
    rmSync(home, { recursive: true });
  }
}

// Makes the images a cluster needs, only when they are missing or their recipe changed, and unpacks them for the nodes.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../machinery/world.ts";
import { CliError } from "../cli-error.ts";
import { withLock } from "./lock.ts";
import { cacheDir, checkout } from "./paths.ts";
import { isAboutPrivileges, localPrivileges, type Privileges, privilegeFlags } from "./privileges.ts";
import { baseTag, type ContextFile, fingerprint, heldTags, nodeTag, type Recipe, recipes } from "./recipes.ts";
import { CommandFailed, run, succeeds } from "./subprocess.ts";

type Note = (text: string) => void;
interface Present {
  readonly id: string;
  readonly hash: string;
}

const hashLabel = "orrery.dev/hash";
const imagesDir = join(checkout, "images");

/** Where the nodes' share of the images lies; every node sees this folder. */
const seedsDir = (): string => cacheDir("images");

const contextOf = async (folder: string): Promise<readonly ContextFile[]> => {
  const names = await readdir(join(imagesDir, folder));
  return Promise.all(names.map(async (path) => ({ path, content: await readFile(join(imagesDir, folder, path)) })));
};

const fingerprints = async (): Promise<ReadonlyMap<string, string>> => {
  const known = new Map<string, string>([[baseTag, baseTag]]);
  for (const recipe of recipes) {
    const parents = Object.values(recipe.from).map((tag) => known.get(tag)!);
    known.set(recipe.tag, fingerprint(recipe, await contextOf(recipe.folder), parents));
  }
  return known;
};

const presentImages = async (): Promise<ReadonlyMap<string, Present>> => {
  const format = `{{json .RepoTags}} {{.Id}} {{with .Config}}{{with .Labels}}{{index . "${hashLabel}"}}{{end}}{{end}}`;
  const tags = [baseTag, ...recipes.map((recipe) => recipe.tag)];
  // Inspect fails when one image is missing, but still speaks of the others.
  const lines = await run(["docker", "image", "inspect", "--format", format, ...tags]).catch((error: unknown) => {
    if (error instanceof CommandFailed) return error.stdout;
    throw error;
  });
  const present = new Map<string, Present>();
  for (const line of lines.split("\n").filter((text) => text.startsWith("["))) {
    const [names, id, hash] = line.split(" ");
    for (const name of JSON.parse(names!) as string[]) present.set(name, { id: id!, hash: hash ?? "" });
  }
  return present;
};

const makeBase = async (note: Note): Promise<void> => {
  const name = "debian:bookworm-slim";
  note("asking the registry for Debian");
  if (await succeeds(["docker", "manifest", "inspect", name], { timeoutMs: 6000 })) {
    note(`pulling ${name}`);
    await run(["docker", "pull", "-q", name]);
    await run(["docker", "tag", name, baseTag]);
    return;
  }
  if (process.getuid?.() !== 0 || !(await succeeds(["which", "debootstrap"]))) {
    throw new CliError(
      "no image registry answers, and Debian cannot be bootstrapped here",
      "Run as root on Debian or Ubuntu with debootstrap installed, or make a registry reachable for the Docker engine.",
    );
  }
  note("no registry answers, bootstrapping Debian from its package mirror");
  const workDir = cacheDir(`debootstrap-${process.pid}`);
  await run(["sh", join(imagesDir, "base", "build.sh"), baseTag, workDir], { onLine: note });
};

const build = async (recipe: Recipe, hash: string, note: Note): Promise<void> => {
  const args = { ...recipe.from, ...recipe.args };
  const context = join(imagesDir, recipe.folder);
  // Only the engine's own builder sees the images that were built just before.
  await run(
    [
      ...[
        "env",
        "BUILDX_BUILDER=default",
        "docker",
        "build",
        "--force-rm",
        "--tag",
        recipe.tag,
        "--label",
        `${hashLabel}=${hash}`,
      ],
      ...Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
      ...(recipe.target === undefined ? [] : ["--target", recipe.target]),
      context,
    ],
    { onLine: (line) => note(`${recipe.tag} ${line}`) },
  );
};

const buildMissing = async (wanted: ReadonlyMap<string, string>, note: Note): Promise<void> => {
  const present = await presentImages();
  const stale = recipes.filter((recipe) => present.get(recipe.tag)?.hash !== wanted.get(recipe.tag));
  if (stale.length === 0) return;
  if (!present.has(baseTag)) await makeBase(note);
  const done = new Map<string, Promise<void>>();
  let services = Promise.resolve();
  for (const recipe of stale) {
    const parents = Object.values(recipe.from).map((tag) => done.get(tag));
    // The services share their compile step; one after the other they find it in the builder's cache.
    const turn = recipe.folder === "services" ? services : undefined;
    const made = Promise.all([...parents, turn]).then(() => build(recipe, wanted.get(recipe.tag)!, note));
    if (recipe.folder === "services") services = made;
    done.set(recipe.tag, made);
  }
  await Promise.all(done.values());
  await run(["docker", "image", "prune", "-f", "--filter", `label=${hashLabel}`]);
  await run(["docker", "image", "prune", "-f", "--filter", "label=orrery.dev/image=build"]);
};

const seedCommand = (privileges: Privileges): readonly string[] => [
  ...["docker", "run", "--rm", "--tmpfs", "/run:exec,mode=755", "--volume", "/var/lib/docker"],
  ...["--volume", `${seedsDir()}:/opt/orrery-images`, ...privilegeFlags(privileges), nodeTag, "seed"],
];

/** Lets an engine unpack what every node holds, as the engines of nodes will find it. */
const seed = async (file: string): Promise<void> => {
  const [images, unpacked] = [join(seedsDir(), "images.tar"), join(seedsDir(), "engine.tar")];
  await run(["docker", "save", "-o", images, ...heldTags]);
  await run(seedCommand(await localPrivileges())).catch((error: unknown) => {
    if (error instanceof CommandFailed && isAboutPrivileges(error.stderr)) return run(seedCommand("fallback"));
    throw error;
  });
  await rename(unpacked, file);
  await rm(images);
};

const seedNodes = async (wanted: ReadonlyMap<string, string>, note: Note): Promise<void> => {
  const dir = seedsDir();
  await mkdir(dir, { recursive: true });
  const hash = createHash("sha256")
    .update([nodeTag, ...heldTags].map((tag) => wanted.get(tag)).join())
    .digest("hex");
  const name = `engine-${hash.slice(0, 12)}.tar`;
  const found = await readdir(dir);
  if (!found.includes(name)) {
    note("unpacking the nodes' images");
    await seed(join(dir, name));
  }
  await Promise.all(found.filter((other) => other !== name).map((other) => rm(join(dir, other), { force: true })));
};

/** After this, every image a cluster needs is in the engine, and the nodes' share lies unpacked in the cache. */
export const ensureImages = async (clock: Clock, note: Note): Promise<void> => {
  const wanted = await fingerprints();
  await withLock(cacheDir("images.lock"), clock, async () => {
    await buildMissing(wanted, note);
    await seedNodes(wanted, note);
  });
};

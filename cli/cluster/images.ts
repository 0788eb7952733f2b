// Builds the images of a cluster when they are missing or outdated, and unpacks those that nodes preload.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../machinery/world.ts";
import { CliError } from "../cli-error.ts";
import { withLock } from "./lock.ts";
import { cacheDir, checkout } from "../paths.ts";
import { isAboutPrivileges, localPrivileges, type Privileges, privilegeFlags } from "./privileges.ts";
import { baseTag, type ContextFile, fingerprint, preloadedTags, nodeTag, type Recipe, recipes } from "./recipes.ts";
import { pushArguments } from "./registry.ts";
import { CommandFailed, inspectLines, run, succeeds } from "./subprocess.ts";

type Note = (text: string) => void;

const hashLabel = "orrery.dev/hash";
const imagesDir = join(checkout, "images");

/** The folder of the preloaded images, mounted into all nodes. */
const seedsDir = cacheDir("images");

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

/** The fingerprints of the existing images by tag; empty for images without one. */
const presentImages = async (): Promise<ReadonlyMap<string, string>> => {
  const format = `{{json .RepoTags}} {{with .Config}}{{with .Labels}}{{index . "${hashLabel}"}}{{end}}{{end}}`;
  const tags = [baseTag, ...recipes.map((recipe) => recipe.tag)];
  const lines = await inspectLines(["docker", "image", "inspect", "--format", format, ...tags]);
  return new Map(
    lines
      .filter((line) => line.startsWith("["))
      .flatMap((line) => {
        const [names, hash] = line.split(" ");
        return (JSON.parse(names!) as string[]).map((name) => [name, hash ?? ""] as const);
      }),
  );
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
  const buildArgs = Object.entries({ ...recipe.from, ...recipe.args });
  // Only the engine's default builder sees images that were just built.
  const command = [
    ...["env", "BUILDX_BUILDER=default", "docker", "build", "--force-rm", "--tag", recipe.tag],
    ...["--label", `${hashLabel}=${hash}`],
    ...buildArgs.flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...(recipe.target === undefined ? [] : ["--target", recipe.target]),
    join(imagesDir, recipe.folder),
  ];
  await run(command, { onLine: (line) => note(`${recipe.tag} ${line}`) });
};

const buildMissing = async (expected: ReadonlyMap<string, string>, note: Note): Promise<void> => {
  const present = await presentImages();
  const stale = recipes.filter((recipe) => present.get(recipe.tag) !== expected.get(recipe.tag));
  if (stale.length === 0) return;
  if (!present.has(baseTag)) await makeBase(note);
  const done = new Map<string, Promise<void>>();
  let services = Promise.resolve();
  for (const recipe of stale) {
    const parents = Object.values(recipe.from).map((tag) => done.get(tag));
    // The services share a compile step. Built one after the other, they find it in the builder's cache.
    const previous = recipe.folder === "services" ? services : undefined;
    const built = Promise.all([...parents, previous]).then(() => build(recipe, expected.get(recipe.tag)!, note));
    if (recipe.folder === "services") services = built;
    done.set(recipe.tag, built);
  }
  await Promise.all(done.values());
  await run(["docker", "image", "prune", "-f", "--filter", `label=${hashLabel}`]);
  await run(["docker", "image", "prune", "-f", "--filter", "label=orrery.dev/image=build"]);
};

const seedCommand = (privileges: Privileges): readonly string[] => [
  ...["docker", "run", "--rm", "--tmpfs", "/run:exec,mode=755", "--volume", "/var/lib/docker"],
  ...["--volume", `${seedsDir}:/opt/orrery-images`, ...privilegeFlags(privileges), nodeTag, "seed"],
  ...pushArguments(preloadedTags),
];

/** What is prepared once for all nodes: the image store of their engines, and the files of the registry. */
const seeds = ["engine", "registry"] as const;

/** Unpacks the preloaded images in an engine of their own, and puts them into a registry. */
const seed = async (fileOf: (seed: string) => string): Promise<void> => {
  const images = join(seedsDir, "images.tar");
  await run(["docker", "save", "-o", images, ...preloadedTags]);
  await run(seedCommand(await localPrivileges())).catch((error: unknown) => {
    if (error instanceof CommandFailed && isAboutPrivileges(error.stderr)) return run(seedCommand("fallback"));
    throw error;
  });
  for (const name of seeds) await rename(join(seedsDir, `${name}.tar`), join(seedsDir, fileOf(name)));
  await rm(images);
};

const seedNodes = async (expected: ReadonlyMap<string, string>, note: Note): Promise<void> => {
  await mkdir(seedsDir, { recursive: true });
  const hash = createHash("sha256")
    .update([nodeTag, ...preloadedTags].map((tag) => expected.get(tag)).join())
    .digest("hex");
  const fileOf = (name: string): string => `${name}-${hash.slice(0, 12)}.tar`;
  const files = seeds.map(fileOf);
  const found = await readdir(seedsDir);
  if (!files.every((file) => found.includes(file))) {
    note("unpacking the nodes' images");
    await seed(fileOf);
  }
  const old = found.filter((file) => !files.includes(file));
  await Promise.all(old.map((file) => rm(join(seedsDir, file), { force: true })));
};

/** Ensures that the engine has all images of a cluster, and the cache the unpacked images that nodes preload. */
export const ensureImages = async (clock: Clock, note: Note): Promise<void> => {
  const expected = await fingerprints();
  await withLock(cacheDir("images.lock"), clock, async () => {
    await buildMissing(expected, note);
    await seedNodes(expected, note);
  });
};

// orrery image: copies images of this machine's engine to the nodes or to the registry that they pull from, and lists
// and removes those of nodes.
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { nodesNamed, runningNodes } from "../cluster/nodes.ts";
import type { Place } from "../cluster/control-planes.ts";
import { pushArchive, requireRegistry, withArchive } from "../cluster/registry.ts";
import { requireState } from "../cluster/state.ts";
import { run } from "../cluster/subprocess.ts";
import { textTable } from "../printers/table.ts";
import { list as commaList } from "../program/flag-values.ts";
import { printLine } from "../program/output.ts";
import { realIo, withCluster } from "./cluster-option.ts";

interface Flags {
  readonly name: string;
  readonly node?: readonly string[];
}

const imageId = async (image: string): Promise<string> =>
  run(["docker", "image", "inspect", "--format", "{{.Id}}", image]).then(
    (id) => id.trim(),
    () => {
      throw new CliError(
        `this machine's engine has no image "${image}"`,
        `Build it with docker build -t ${image} . or pull it first.`,
      );
    },
  );

const has = async (node: string, image: string, id: string): Promise<boolean> =>
  run(["docker", "exec", node, "docker", "image", "inspect", "--format", "{{.Id}}", image]).then(
    (found) => found.trim() === id,
    () => false,
  );

const pushStep = (registry: Place, file: string, images: readonly string[]): Promise<string> =>
  realIo().progress.step(`pushed to ${registry.name}`, () => pushArchive(registry, file, images));

const load = async (images: readonly string[], flags: Flags): Promise<void> => {
  const { registry } = await requireState(flags.name);
  const { progress } = realIo();
  const nodes = await nodesOf(flags);
  const ids = await Promise.all(images.map(imageId));
  const lacks = async (node: string): Promise<boolean> =>
    (await Promise.all(images.map((image, i) => has(node, image, ids[i]!)))).includes(false);
  const missing = await Promise.all(nodes.map(lacks));
  const into = nodes.filter((_, i) => missing[i]);
  if (into.length === 0) return progress.say(`${images.join(", ")}: already there on ${nodes.join(", ")}`);
  await withArchive(images, async (file) => {
    await progress.step(`loaded into ${into.join(", ")}`, () =>
      Promise.all(into.map((node) => run(["docker", "exec", "-i", node, "docker", "load"], { inputFile: file }))),
    );
    if (registry) await pushStep(registry, file, images);
  });
};

const push = async (images: readonly string[], flags: Pick<Flags, "name">): Promise<void> => {
  const registry = requireRegistry(await requireState(flags.name));
  await Promise.all(images.map(imageId));
  await withArchive(images, (file) => pushStep(registry, file, images));
};

/** The nodes that the flags select; by default all running workers. */
const nodesOf = (flags: Flags): Promise<readonly string[]> =>
  flags.node === undefined ? runningNodes(flags.name, "worker") : nodesNamed(flags.name, flags.node);

const listFormat = "{{.Repository}}:{{.Tag}}\t{{.Size}}";

const list = async (flags: Flags): Promise<void> => {
  await requireState(flags.name);
  const nodes = await nodesOf(flags);
  const sizes = new Map<string, string>();
  const holders = new Map<string, string[]>();
  for (const node of nodes) {
    const lines = await run(["docker", "exec", node, "docker", "image", "ls", "--format", listFormat]);
    for (const line of lines.split("\n").filter((text) => text !== "")) {
      const [image = "", size = ""] = line.split("\t");
      sizes.set(image, size);
      holders.set(image, [...(holders.get(image) ?? []), node]);
    }
  }
  const rows = [...holders]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([image, on]) => [image, sizes.get(image)!, on.length === nodes.length ? "all" : on.join(",")]);
  printLine(textTable(["IMAGE", "SIZE", "NODES"], rows));
};

const remove = async (images: readonly string[], flags: Flags): Promise<void> => {
  await requireState(flags.name);
  const { progress } = realIo();
  for (const node of await nodesOf(flags))
    await progress.step(`removed ${images.join(", ")} from ${node}`, () =>
      run(["docker", "exec", node, "docker", "image", "rm", ...images]),
    );
};

/** Adds `image` to the program. */
export const register = (program: Command): void => {
  const image = program.command("image");
  withCluster(image.command("load <images...>"))
    .summary("copy images of this machine's engine into every node and the cluster's registry")
    .option("--node <node>", "only into this node; may be repeated", commaList)
    .addHelpText(
      "after",
      "\nExamples:\n  docker build -t shop:1 . && orrery image load shop:1\n  orrery image load shop:1 shop:2 --node 1 --node 2",
    )
    .action(load);
  withCluster(image.command("push <images...>"))
    .summary("copy images of this machine's engine into the cluster's registry, from which nodes pull them")
    .addHelpText("after", "\nExamples:\n  docker build -t shop:2 . && orrery image push shop:2")
    .action(push);
  withCluster(image.command("list"))
    .alias("ls")
    .summary("list the images of the nodes")
    .option("--node <node>", "only of this node; may be repeated", commaList)
    .action(list);
  withCluster(image.command("rm <images...>"))
    .summary("remove images from the nodes")
    .option("--node <node>", "only from this node; may be repeated", commaList)
    .action(remove);
};

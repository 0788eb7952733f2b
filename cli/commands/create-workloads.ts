// orrery create deployment, job, cronjob, service: objects that run images, and services for them.
import type { Command } from "commander";
import { realWorld } from "../../machinery/real-world.ts";
import { CliError } from "../cli-error.ts";
import { targetPath, targetsOf } from "../client/targets.ts";
import { type ServiceFlags, service } from "../generators/services.ts";
import {
  type CronJobFlags,
  type CronJobTemplate,
  cronJob,
  type DeploymentFlags,
  deployment,
  job,
  jobOf,
} from "../generators/workloads.ts";
import { integer, integer32, list } from "../program/flag-values.ts";
import { addGenerator, type Generator, type Input } from "./create-object.ts";

const random = (): number => realWorld(() => {}).random.next();

const deployments: Generator<DeploymentFlags> = {
  name: "deployment",
  aliases: ["deploy"],
  summary: "create a Deployment",
  plural: "deployments",
  namespaced: true,
  failure: "failed to create deployment: ",
  required: ["image"],
  examples: ["create deployment web --image=nginx --replicas=3", "create deployment job --image=busybox -- date"],
  options: (command) =>
    command
      .option("--image <image>", "the images of its containers; may be repeated", list)
      .option("-r, --replicas <n>", "the number of its pods", integer32, 1)
      .option("--port <n>", "the port of its first container", integer32, -1),
  generate: ({ name, flags, command }) =>
    deployment(name, { ...flags, image: flags.image.filter((image) => image !== "") }, command, random),
};

interface JobFlags {
  readonly image?: string;
  readonly from?: string;
}

async function jobFrom({ name, connect }: Input<JobFlags>, from: string) {
  const scope = await connect();
  const args = from.split("/");
  if (args.length === 1) await scope.mapper.named(from);
  const [target] = await targetsOf(scope, [from], {});
  const object = await scope.api.get<CronJobTemplate>(targetPath(target!));
  if (object.kind === "CronJob") return jobOf(name, object);
  throw new CliError(`unknown object type *v1.${object.kind}`, "Only a CronJob is a template for Jobs.");
}

const jobs: Generator<JobFlags> = {
  name: "job",
  summary: "create a Job, from an image or from a CronJob",
  plural: "jobs",
  namespaced: true,
  failure: "failed to create job: ",
  examples: ["create job date --image=busybox -- date", "create job now --from=cronjob/nightly"],
  options: (command) =>
    command
      .option("--image <image>", "the image to run")
      .option("--from <cronjob>", "the CronJob whose template to use"),
  generate: (input) => {
    const { name, flags, command } = input;
    if (Boolean(flags.image) === Boolean(flags.from)) throw new CliError("either --image or --from must be specified");
    if (flags.from && command.length > 0) throw new CliError("cannot specify --from and command");
    return flags.from ? jobFrom(input, flags.from) : job(name, flags.image!, command);
  },
};

const cronJobs: Generator<CronJobFlags> = {
  name: "cronjob",
  aliases: ["cj"],
  summary: "create a CronJob",
  plural: "cronjobs",
  namespaced: true,
  failure: "failed to create cronjob: ",
  required: ["image", "schedule"],
  examples: ["create cronjob hourly --image=busybox --schedule='0 * * * *' -- date"],
  options: (command) =>
    command
      .option("--image <image>", "the image to run")
      .option("--schedule <times>", "when it runs, as the five fields of cron")
      .option("--restart <policy>", "OnFailure or Never"),
  generate: ({ name, flags, command }) => cronJob(name, flags, command),
};

/** The command of one type of services. */
const services = (
  type: ServiceFlags["type"],
  examples: readonly string[],
  options: (command: Command) => Command,
  required: readonly string[] = [],
): Generator<ServiceFlags> => ({
  name: type.toLowerCase(),
  summary: `create a ${type} service`,
  plural: "services",
  namespaced: true,
  failure: `failed to create ${type} service: `,
  required,
  examples,
  options: (command) => options(command.option("--tcp <pair>", "PORT or PORT:TARGETPORT; may be repeated", list)),
  generate: ({ name, flags }) => service(name, { ...flags, type }),
});

const serviceTypes: readonly Generator<ServiceFlags>[] = [
  services("ClusterIP", ["create service clusterip web --tcp=80:8080"], (command) =>
    command.option("--clusterip <address>", "its address, or None for a headless service"),
  ),
  services("NodePort", ["create service nodeport web --tcp=80 --node-port=30080"], (command) =>
    command.option("--node-port <n>", "its port on every node", integer, 0),
  ),
  services("LoadBalancer", ["create service loadbalancer web --tcp=80"], (command) => command),
  services(
    "ExternalName",
    ["create service externalname db --external-name=db.example.com"],
    (command) => command.option("--external-name <name>", "the name that clients are sent to"),
    ["external-name"],
  ),
];

/** Adds the commands to `create`. */
export function addWorkloads(create: Command): void {
  addGenerator(create, deployments);
  addGenerator(create, jobs);
  addGenerator(create, cronJobs);
  const group = create.command("service").alias("svc").summary("create a Service of a type");
  for (const type of serviceTypes) addGenerator(group, type);
}

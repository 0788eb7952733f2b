// `create deployment`, `create job` and `create cronjob`: objects that run images.
import { CliError } from "../cli-error.ts";
import { containerNameOf } from "./container-name.ts";
import { type GeneratedObject, unlessEmpty } from "./generated-object.ts";

export interface DeploymentFlags {
  readonly image: readonly string[];
  readonly replicas: number;
  readonly port: number;
}

/** A Deployment with a container for each image. `command` needs a single one. */
export function deployment(
  name: string,
  { image, replicas, port }: DeploymentFlags,
  command: readonly string[],
  random: () => number,
): GeneratedObject {
  if (command.length > 0 && image.length > 1) throw new CliError("cannot specify multiple --image options and command");
  const labels = { app: name };
  const containers = image.map((each, i) => ({
    name: containerNameOf(each, random),
    image: each,
    command: unlessEmpty(command),
    ports: i === 0 && port >= 0 ? [{ containerPort: port }] : undefined,
    resources: {},
  }));
  return {
    kind: "Deployment",
    apiVersion: "apps/v1",
    metadata: { name, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
      strategy: {},
    },
    status: {},
  };
}

const jobSpec = (name: string, image: string, command: readonly string[], restartPolicy: string) => ({
  template: {
    metadata: {},
    spec: { containers: [{ name, image, command: unlessEmpty(command), resources: {} }], restartPolicy },
  },
});

/** A Job that runs an image once. */
export const job = (name: string, image: string, command: readonly string[]): GeneratedObject => ({
  kind: "Job",
  apiVersion: "batch/v1",
  metadata: { name },
  spec: jobSpec(name, image, command, "Never"),
  status: {},
});

/** The parts of a CronJob from which a Job is made. */
export interface CronJobTemplate {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly uid?: string };
  readonly spec: {
    readonly jobTemplate: {
      readonly metadata?: {
        readonly labels?: Readonly<Record<string, string>>;
        readonly annotations?: Readonly<Record<string, string>>;
      };
      readonly spec: unknown;
    };
  };
}

/** A Job from the template of a CronJob, which owns it. */
export function jobOf(name: string, cronJob: CronJobTemplate): GeneratedObject {
  const { metadata: { labels, annotations } = {}, spec } = cronJob.spec.jobTemplate;
  const ownerReferences = [
    {
      apiVersion: "batch/v1",
      kind: cronJob.kind,
      name: cronJob.metadata.name,
      uid: cronJob.metadata.uid ?? "",
      controller: true,
    },
  ];
  const metadata = {
    name,
    ...(labels && { labels }),
    annotations: { "cronjob.kubernetes.io/instantiate": "manual", ...annotations },
    ownerReferences,
  };
  return { kind: "Job", apiVersion: "batch/v1", metadata, spec, status: {} };
}

export interface CronJobFlags {
  readonly image: string;
  readonly schedule: string;
  readonly restart?: string;
}

/** A CronJob that runs an image by a schedule. */
export const cronJob = (name: string, flags: CronJobFlags, command: readonly string[]): GeneratedObject => ({
  kind: "CronJob",
  apiVersion: "batch/v1",
  metadata: { name },
  spec: {
    schedule: flags.schedule,
    jobTemplate: { metadata: { name }, spec: jobSpec(name, flags.image, command, flags.restart || "OnFailure") },
  },
  status: {},
});

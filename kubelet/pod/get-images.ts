// Provides the images of one run of a container, as their pull policies require: its own, and those of its volumes.
import type { Container } from "../../api/generated/types.ts";
import { credentialsFor, type ImageRequest, isImageReference, pullDuration, pullPlan } from "../images.ts";
import { RuntimeRefused } from "../runtime.ts";
import { imageVolumesOf } from "../podspec/containers.ts";
import { type ContainerInputs, recorderOf } from "./make-container.ts";
import type { ImageOutcome } from "./memory.ts";

/** An image and its policy, and the container for which it is provided. */
interface ContainerImage extends ImageRequest {
  readonly container: string;
}
type Failure = Pick<Extract<ImageOutcome, { is: "failed" }>, "reason" | "message">;

async function credentials({ node, pod }: ContainerInputs, image: string, signal: AbortSignal) {
  const names = (pod.spec.imagePullSecrets ?? []).flatMap((r) => r.name ?? []);
  if (names.length === 0) return undefined;
  await node.objects.ready(pod.metadata.uid, signal);
  const { secret } = node.objects.lookup(pod.metadata.namespace ?? "default");
  const secrets = names.flatMap((name) => secret(name) ?? []);
  return credentialsFor(image, secrets);
}

async function pullImage(
  inputs: ContainerInputs,
  { image = "", container }: ContainerImage,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const { node } = inputs;
  const record = recorderOf(inputs, container);
  record("Normal", "Pulling", `Pulling image "${image}"`);
  const began = node.world.clock.now();
  try {
    await node.pull(image, await credentials(inputs, image, signal), signal);
  } catch (e) {
    if (!(e instanceof RuntimeRefused)) throw e;
    record("Warning", "Failed", `Failed to pull image "${image}": ${e.message}`);
    return { reason: "ErrImagePull", message: e.message };
  }
  const took = pullDuration(node.world.clock.now() - began);
  const size = (await node.runtime.imageStatus(image, signal))?.sizeBytes ?? 0;
  const pulled = `Successfully pulled image "${image}" in ${took} (${took} including waiting)`;
  record("Normal", "Pulled", `${pulled}. Image size: ${size} bytes.`);
  return undefined;
}

async function provideImage(
  inputs: ContainerInputs,
  requested: ContainerImage,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const { image = "", container } = requested;
  const record = recorderOf(inputs, container);
  if (!isImageReference(image)) {
    const why = `couldn't parse image name "${image}": invalid reference format`;
    const message = `Failed to apply default image tag "${image}": ${why}`;
    record("Warning", "InspectFailed", message);
    return { reason: "InvalidImageName", message };
  }
  const plan = pullPlan(requested, await inputs.node.runtime.imageStatus(image, signal));
  if (plan === "pull") return pullImage(inputs, requested, signal);
  if (plan === "never") {
    const message = `Container image "${image}" is not present with pull policy of Never`;
    record("Warning", "ErrImageNeverPull", message);
    return { reason: "ErrImageNeverPull", message };
  }
  record("Normal", "Pulled", `Container image "${image}" already present on machine and can be accessed by the pod`);
  return undefined;
}

/** The first failure of the images of a container, and the image that failed. */
async function provideAll(
  inputs: ContainerInputs,
  c: Container,
  signal: AbortSignal,
): Promise<(Failure & { readonly image: string }) | undefined> {
  const { name: container } = c;
  const ofVolumes = imageVolumesOf(inputs.pod, c).map(
    ({ image }): ImageRequest => ({
      image: image?.reference,
      imagePullPolicy: image?.pullPolicy,
    }),
  );
  for (const { image = "", imagePullPolicy } of [...ofVolumes, c]) {
    const failure = await provideImage(inputs, { container, image, imagePullPolicy }, signal);
    if (failure) return { ...failure, image };
  }
  return undefined;
}

/** Provides the images of a container. The memory holds the outcome. */
export async function getImages(
  inputs: ContainerInputs,
  c: Container,
  { attempt }: { readonly attempt: number },
  signal: AbortSignal,
): Promise<void> {
  const { images } = inputs.memory;
  const failure = await provideAll(inputs, c, signal);
  if (failure === undefined) return void images.set(c.name, { is: "there", attempt });
  recorderOf(inputs, c.name)("Warning", "Failed", `Error: ${failure.reason}`);
  const before = images.get(c.name);
  const failures = before?.is === "failed" ? before.failures + 1 : 1;
  const at = inputs.node.world.clock.now();
  images.set(c.name, { is: "failed", attempt, ...failure, at, failures });
}

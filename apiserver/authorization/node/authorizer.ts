// The node authorizer: follows pods and what leads from them to other objects, and decides by those it has seen.
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { pods } from "../../../api/core/pods.ts";
import type { PersistentVolume, Pod, ResourceSlice, VolumeAttachment } from "../../../api/generated/types.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { keyOf } from "../../../api/meta.ts";
import { resourceSlices } from "../../../api/resource/resourceslices.ts";
import { volumeAttachments } from "../../../api/storage/csi.ts";
import type { Selection } from "../../../machinery/client.ts";
import type { FollowingAuthorizer } from "../authorizer.ts";
import { followKind, type Receive } from "../follow.ts";
import { decide } from "./decide.ts";
import { nodeGraph } from "./graph.ts";
import { nodeNameOf } from "./identity.ts";

/** Relates no node to any object until it follows a cluster. */
export function nodeAuthorizer(): FollowingAuthorizer {
  const graph = nodeGraph();
  const followed: readonly (readonly [r: ResourceDefinition, receive: Receive, selection?: Selection])[] = [
    // A pod without a node gives no node anything.
    [
      pods,
      (o, isGone) => graph.setPod(keyOf(o), isGone ? undefined : (o as Pod)),
      { fieldSelector: "spec.nodeName!=" },
    ],
    [persistentVolumes, (o, isGone) => graph.setVolume(keyOf(o), isGone ? undefined : (o as PersistentVolume))],
    [
      volumeAttachments,
      (o, isGone) =>
        graph.setNamed("volumeattachments", keyOf(o), isGone ? undefined : (o as VolumeAttachment).spec.nodeName),
    ],
    [
      resourceSlices,
      (o, isGone) =>
        graph.setNamed("resourceslices", keyOf(o), isGone ? undefined : (o as ResourceSlice).spec.nodeName),
    ],
  ];
  return {
    decide: (request) => decide(graph, request),
    rulesFor: (user) =>
      nodeNameOf(user) === undefined
        ? { rules: [], isComplete: true, problems: [] }
        : { rules: [], isComplete: false, problems: ["node authorizer does not support user rule resolution"] },
    async follow(client, world, signal) {
      const context = { client, world };
      await Promise.all(followed.map(([r, receive, only]) => followKind(r, receive, context, signal, only)));
    },
  };
}

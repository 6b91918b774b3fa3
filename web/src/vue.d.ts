import type { DefineComponent } from "vue";
import type { AnchorAvatarAttributes } from "./anchor-avatar.js";
export * from "./anchor-avatar.js";

declare module "vue" {
	interface GlobalComponents {
		"anchor-avatar": DefineComponent<AnchorAvatarAttributes>;
	}
}

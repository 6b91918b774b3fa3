import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { AnchorAvatar, AnchorAvatarAttributes } from "./anchor-avatar.js";
export * from "./anchor-avatar.js";

declare module "react" {
	namespace JSX {
		interface IntrinsicElements {
			"anchor-avatar": Omit<
				DetailedHTMLProps<HTMLAttributes<AnchorAvatar>, AnchorAvatar>,
				keyof AnchorAvatarAttributes
			> &
				AnchorAvatarAttributes;
		}
	}
}

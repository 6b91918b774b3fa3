import { AnchorAvatar as Bare } from "./element.js";
import type { Properties } from "./properties.js";

/** The element's own events. */
export interface AnchorAvatarEvents {
	/** The pack is loaded. */
	ready: CustomEvent<{ id: string; displayName: string }>;
	/** A picture was drawn; the event and its detail are used again for the next. */
	frame: CustomEvent<{ timeMs: number; isTracked: boolean }>;
	/** Whether the overlays follow the video, and why not. */
	tracking: CustomEvent<{ isOn: boolean; reason: string }>;
	/** From now on the still face with its static anchors. */
	fallback: CustomEvent<{ reason: string }>;
	play: CustomEvent<null>;
	pause: CustomEvent<null>;
	/** Something that a pack may have is not there. */
	hint: CustomEvent<{ message: string }>;
	/** Something is wrong; the avatar goes on without it. */
	error: CustomEvent<{ message: string }>;
}
type EventMap = Omit<HTMLElementEventMap, keyof AnchorAvatarEvents> & AnchorAvatarEvents;

export interface AnchorAvatar extends Bare, Properties {
	addEventListener<K extends keyof EventMap>(
		type: K,
		listener: (this: AnchorAvatar, event: EventMap[K]) => void,
		options?: boolean | AddEventListenerOptions,
	): void;
	addEventListener(
		type: string,
		listener: EventListenerOrEventListenerObject,
		options?: boolean | AddEventListenerOptions,
	): void;
	removeEventListener<K extends keyof EventMap>(
		type: K,
		listener: (this: AnchorAvatar, event: EventMap[K]) => void,
		options?: boolean | EventListenerOptions,
	): void;
	removeEventListener(
		type: string,
		listener: EventListenerOrEventListenerObject,
		options?: boolean | EventListenerOptions,
	): void;
}
export declare const AnchorAvatar: { new (): AnchorAvatar; prototype: AnchorAvatar };

/** What can be written into the tag, where templates are typed. */
export interface AnchorAvatarAttributes extends Partial<Properties> {
	onready?: (event: AnchorAvatarEvents["ready"]) => void;
	onframe?: (event: AnchorAvatarEvents["frame"]) => void;
	ontracking?: (event: AnchorAvatarEvents["tracking"]) => void;
	onfallback?: (event: AnchorAvatarEvents["fallback"]) => void;
	onhint?: (event: AnchorAvatarEvents["hint"]) => void;
}

declare global {
	interface HTMLElementTagNameMap {
		"anchor-avatar": AnchorAvatar;
	}
}

import { createApp, ref } from "vue";
import type { AnchorAvatar, AnchorAvatarEvents } from "anchord-web/vue";
import "anchord-web/element";

const app = createApp({
	setup() {
		const avatar = ref<AnchorAvatar>();
		const ready = ({ detail }: AnchorAvatarEvents["ready"]) => (document.title = `ready ${detail.id}`);
		return { avatar, ready, say: () => avatar.value?.setViseme("AA") };
	},
	template: `<anchor-avatar ref="avatar" src="/avatars/face/" label="Sam" @ready="ready"></anchor-avatar>
		<button @click="say">Ah</button>`,
});
app.config.compilerOptions.isCustomElement = (tag) => tag === "anchor-avatar";
app.mount("#app");

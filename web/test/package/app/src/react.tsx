import { useRef } from "react";
import { createRoot } from "react-dom/client";
import type { AnchorAvatar } from "anchord-web/react";
import "anchord-web/element";

function Guide({ pack }: { pack: string }) {
	const avatar = useRef<AnchorAvatar>(null);
	return (
		<>
			<anchor-avatar
				ref={avatar}
				src={pack}
				label="Sam"
				onready={({ detail }) => (document.title = `ready ${detail.id}`)}
			/>
			<button onClick={() => avatar.current?.setViseme("AA")}>Ah</button>
		</>
	);
}

createRoot(document.getElementById("app") as HTMLElement).render(<Guide pack="/avatars/face/" />);

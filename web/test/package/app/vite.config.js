export default {
	base: "./",
	// Templates in strings need Vue's compiler.
	resolve: { alias: { vue: "vue/dist/vue.esm-bundler.js" } },
	build: { assetsInlineLimit: 0, rollupOptions: { input: ["index.html", "react.html", "vue.html"] } },
};

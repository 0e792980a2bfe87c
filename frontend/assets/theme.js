// AG Grid follows Mantine's switch between light and dark.
(function () {
    const root = document.documentElement;
    function follow() {
        root.dataset.agThemeMode = root.getAttribute("data-mantine-color-scheme") === "dark" ? "dark" : "light";
    }
    new MutationObserver(follow).observe(root, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
    follow();
})();

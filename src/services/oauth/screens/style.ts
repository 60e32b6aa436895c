/** The one style of all screens; its hash stands in their policy. */
export const STYLE = `
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;padding:16px;background:#f3f5f9;color:#1c2430;font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{width:100%;max-width:440px;background:#fff;border:1px solid #dfe4ec;border-radius:14px;padding:32px;overflow-wrap:anywhere}
.logo{display:block;width:56px;height:56px;border-radius:12px;object-fit:contain;margin:0 0 16px}
.mark{display:flex;align-items:center;justify-content:center;width:56px;height:56px;border-radius:12px;margin:0 0 16px;background:#2457d6;color:#fff;font-size:24px;font-weight:600}
h1{font-size:22px;line-height:1.25;margin:0 0 8px}
p{margin:0 0 16px;color:#4b5667}
label{display:block;font-weight:600;margin:0 0 16px}
input[type=text],input[type=password]{display:block;width:100%;margin-top:6px;padding:11px 12px;border:1px solid #b6c0cf;border-radius:8px;font:inherit}
input:focus-visible,button:focus-visible,a:focus-visible{outline:3px solid #9db9ff;outline-offset:1px}
button{width:100%;padding:12px 16px;border:1px solid #2457d6;border-radius:8px;background:#2457d6;color:#fff;font:inherit;font-weight:600;cursor:pointer}
button.plain{background:#fff;color:#1c2430;border-color:#b6c0cf}
ul{list-style:none;margin:0 0 20px;padding:0}
li{margin:0}
li+li{border-top:1px solid #edf0f5}
li label{display:flex;gap:12px;align-items:flex-start;margin:0;padding:11px 0;font-weight:400}
li input{width:18px;height:18px;margin:3px 0 0;flex:none}
.accounts li+li{border:0}
.accounts button{text-align:left;margin:0 0 8px}
small{color:#6a7586;display:block}
.row{display:flex;gap:12px}
.alert{border:1px solid #f1b8b8;background:#fdf1f1;color:#8c1d1d;border-radius:8px;padding:10px 12px}
@media (max-width:480px){body{padding:0;align-items:stretch}main{border:0;border-radius:0;padding:24px 20px;min-height:100vh}.row{flex-direction:column-reverse}}
`

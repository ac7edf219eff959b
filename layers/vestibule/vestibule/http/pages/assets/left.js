// The page that a stage sends its visitor to: in a frame of ours it says so, and is then gone.

if (window.parent !== window) window.parent.postMessage({ vestibule: "left" }, location.origin);

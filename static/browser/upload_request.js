/* One file to the server: by XMLHttpRequest, because `fetch` does not tell how far an upload is. */

/** Make the function that sends a file, with `onProgress(0 to 1)`; it answers with `{stored, abort}`. */
export function makeSend({ url, csrfToken }) {
  return (file, onProgress) => {
    const request = new XMLHttpRequest();
    const stored = new Promise((resolve, reject) => {
      request.open("POST", `${url}?${new URLSearchParams({ name: file.name })}`);
      request.setRequestHeader("X-CSRFToken", csrfToken);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.responseType = "json";
      request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
      request.onload = () => (request.status === 201 ? resolve(request.response) : reject(new Error(explain(request))));
      request.onerror = () => reject(new Error("The server cannot be reached."));
      request.onabort = () => reject(new Error("Cancelled."));
      request.send(file);
    });
    return { stored, abort: () => request.abort() };
  };
}

/** A proxy in between may answer with a page of its own, in place of our JSON. */
function explain({ response, status }) {
  return response?.error?.message ?? (status === 413 ? "The file is too large." : `The server answered with an error (${status}).`);
}

/** Where the API is: "" for the origin that serves this page, else for example "http://127.0.0.1:8000". */
export const API = "";

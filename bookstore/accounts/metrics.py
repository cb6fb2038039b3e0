"""What /metrics says of accounts: sign-ins by their result, of customers and of staff."""

from bookstore.server.metrics import count_results

SIGN_INS = {
    ("POST", "auth/login", 200): "succeeded",
    ("POST", "auth/login", 401): "refused",
    ("POST", "auth/login", 403): "refused",
    ("POST", "auth/login", 429): "throttled",
    ("POST", "admin/login/", 302): "succeeded",
    ("POST", "admin/login/", 403): "refused",
    ("POST", "admin/login/", 429): "throttled",
}

sign_ins = count_results("bookstore_sign_ins", "Attempts to sign in, of customers and of staff.", "result", SIGN_INS)

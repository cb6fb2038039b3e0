"""Pages of the staff's site for somebody who forgot the password. Django's sign-in page links to them by these names.

None where the shop sends no mail, or answers to any host: the link in the mail has the host that was asked.
"""

from django.conf import settings
from django.urls import path
from django.views.decorators.cache import never_cache

from bookstore.accounts.staff_recovery import ForgottenPassword, MailSent, PasswordIsSet, SetPassword

urlpatterns = [
    path("password-reset/", ForgottenPassword.as_view(), name="admin_password_reset"),
    path("password-reset/sent/", never_cache(MailSent.as_view()), name="password_reset_done"),
    path("password-reset/done/", never_cache(PasswordIsSet.as_view()), name="password_reset_complete"),
    path("password-reset/<str:token>/", SetPassword.as_view(), name="admin_password_reset_confirm"),
]
if not settings.SENDS_MAIL or "*" in settings.ALLOWED_HOSTS:
    urlpatterns = []

"""Mails to customers and staff, sent by background tasks (docs/decisions/0031-mail.md).

An app defines a mail as a task that renders and sends it, and queues the task in the transaction that the mail is
about:

    from bookstore.mail.sending import mail, queue, send

    @mail
    def placed(order_id: int) -> None:
        order = Order.objects.get(pk=order_id)
        send(order.user.email, "orders/placed", {"order": order, "link": storefront_link("order", id=order.pk)})

    queue(placed, order.pk)

`send` renders templates/mail/orders/placed.txt, whose first line is the subject, and placed.html. The database
keeps a task's arguments for weeks: pass ids, never an email or a token.
"""

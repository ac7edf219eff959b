"""Sends what the outbox holds: mails and text messages."""

from vestibule.wiring import House
from vestibule.workers.mailer import mailer

house = House()
handler = mailer(house)

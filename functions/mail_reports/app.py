"""Takes in what SES reports about mails: arrived, bounced, complained of."""

from vestibule.wiring import House
from vestibule.workers.mail_reports import mail_reports

house = House()
handler = mail_reports(house)

"""Times in English by 24 hours, as in the other languages: staff compare them with logs."""

TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j N Y, H:i"
SHORT_DATETIME_FORMAT = "Y-m-d H:i"

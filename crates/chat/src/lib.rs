//! The router: chat interfaces, apps, delivery, reports.

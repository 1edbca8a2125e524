"use client";

import { ErrorNotice } from "../components/Notice";

export default function ErrorPage() {
  // A whole reload, since a page from before an update may ask for files that are gone.
  return <ErrorNotice message="This page could not be shown." onRetry={() => window.location.reload()} />;
}

import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import Bootstrap from "../components/Bootstrap";
import PageViews from "../components/PageViews";
import SiteHeader from "../components/SiteHeader";
import "./globals.css";

export const metadata: Metadata = {
  title: { default: "Video Library", template: "%s · Video Library" },
  description: "Collect, find and watch videos from the pages and feeds you choose.",
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f6f5f2" },
    { media: "(prefers-color-scheme: dark)", color: "#121416" },
  ],
};

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <a href="#content" className="button skip">
          Skip to content
        </a>
        <SiteHeader />
        <main id="content" className="page" tabIndex={-1}>
          {children}
        </main>
        <PageViews />
        <Bootstrap />
      </body>
    </html>
  );
}

interface Props {
  page: number;
  pages: number;
  onPage: (page: number) => void;
}

export default function Pager({ page, pages, onPage }: Props) {
  if (pages <= 1) return null;
  return (
    <nav aria-label="Pages" className="row" style={{ justifyContent: "center" }}>
      <button type="button" className="button" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        Previous
      </button>
      <span>
        Page {page.toLocaleString("en")} of {pages.toLocaleString("en")}
      </span>
      <button type="button" className="button" disabled={page >= pages} onClick={() => onPage(page + 1)}>
        Next
      </button>
    </nav>
  );
}

//! Strips onto pages, by rules a printer would keep: what is tied stays together, space at a page's
//! top is dropped, a table's head stands again above its rows.

use super::flow::{Mark, Starts, Strip, Tie};

/// A page's strips, with the distance of each from the top of the text.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) placed: Vec<Placed>,
}

/// A strip on a page.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) y: f32,
    /// Its index in the row; nothing for a head that stands there again.
    pub(super) index: Option<usize>,
    pub(super) strip: Strip,
}

/// Puts `strips` onto pages whose text is `height` high; there is always one page.
pub(super) fn paged(strips: Vec<Strip>, height: f32) -> Vec<Page> {
    let mut pages = Pages { done: Vec::new(), page: Page::default(), y: 0.0, height };
    let mut tied = Vec::new();
    for (index, strip) in strips.into_iter().enumerate() {
        let ends = strip.tie == Tie::Loose;
        tied.push((index, strip));
        if ends {
            pages.place(std::mem::take(&mut tied));
        }
    }
    pages.place(tied);
    pages.done.push(pages.page);
    pages.done
}

struct Pages {
    done: Vec<Page>,
    page: Page,
    y: f32,
    height: f32,
}

impl Pages {
    /// Places strips that belong together: on one page if they fit there, else over several.
    fn place(&mut self, tied: Vec<(usize, Strip)>) {
        let needed: f32 = tied.iter().map(|(_, strip)| strip.space + strip.height).sum();
        let bare = needed - tied.first().map_or(0.0, |(_, strip)| strip.space);
        let head = tied.first().and_then(|(_, strip)| strip.repeated.as_ref()).map_or(0.0, |head| head.height);
        let begins = tied.first().is_some_and(|(_, strip)| strip.starts == Starts::Page);
        if begins || self.height < self.y + needed && head + bare <= self.height {
            self.turn();
        }
        for (index, strip) in tied {
            if self.height < self.y + strip.space + strip.height {
                self.turn();
            }
            if self.page.placed.is_empty() {
                self.begin_with(strip.repeated.as_deref());
            } else {
                self.y += strip.space;
            }
            self.put(Some(index), strip);
        }
    }

    fn begin_with(&mut self, head: Option<&Strip>) {
        if let Some(head) = head {
            // Read once where the table begins; here it only helps the eye.
            let strokes = head.marks.iter().flat_map(|mark| mark.strokes.clone()).collect();
            self.put(None, Strip { marks: vec![Mark::ornament(strokes)], ..head.clone() });
        }
    }

    fn put(&mut self, index: Option<usize>, strip: Strip) {
        let y = self.y;
        self.y += strip.height;
        self.page.placed.push(Placed { y, index, strip });
    }

    fn turn(&mut self) {
        if !self.page.placed.is_empty() {
            self.done.push(std::mem::take(&mut self.page));
            self.y = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    fn strip(height: f32, tie: Tie) -> Strip {
        Strip { space: 5.0, tie, ..Strip::new(height, Vec::new()) }
    }

    fn heights(strips: Vec<Strip>) -> Vec<Vec<f32>> {
        let of = |page: &Page| page.placed.iter().map(|placed| placed.strip.height).collect();
        paged(strips, 100.0).iter().map(of).collect()
    }

    #[test]
    fn there_is_always_a_page() {
        assert_eq!(heights(Vec::new()), [Vec::<f32>::new()]);
    }

    #[test]
    fn what_is_tied_stays_together() {
        let (loose, tied) = (Tie::Loose, Tie::WithNext);
        let strips = vec![strip(60.0, loose), strip(10.0, tied), strip(20.0, loose), strip(10.0, loose)];
        assert_eq!(heights(strips), [vec![60.0, 10.0, 20.0], vec![10.0]]);
        let strips = vec![strip(60.0, loose), strip(10.0, tied), strip(21.0, loose), strip(10.0, loose)];
        assert_eq!(heights(strips), [vec![60.0], vec![10.0, 21.0, 10.0]]);
    }

    #[test]
    fn what_is_tied_and_higher_than_a_page_is_parted_rather_than_cut() {
        let strips = vec![strip(40.0, Tie::WithNext), strip(40.0, Tie::WithNext), strip(40.0, Tie::Loose)];
        assert_eq!(heights(strips), [vec![40.0, 40.0], vec![40.0]]);
    }

    #[test]
    fn a_tables_head_stands_again_above_its_rows() {
        let head = strip(7.0, Tie::WithNext);
        let row = Strip { repeated: Some(Rc::new(head.clone())), ..strip(30.0, Tie::Loose) };
        let strips = vec![head, row.clone(), row.clone(), row.clone(), row];
        assert_eq!(heights(strips), [vec![7.0, 30.0, 30.0], vec![7.0, 30.0, 30.0]]);
    }
}

use tch::{Device, Kind};

use super::*;

/// Runs `rank` on so many threads; what each gives, in rank order.
fn on_ranks<T: Send>(
    ranks: usize,
    rank: impl Fn(&mut Threads) -> T + Sync,
) -> Vec<std::thread::Result<T>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = connect(ranks)
            .into_iter()
            .map(|mut end| {
                let rank = &rank;
                scope.spawn(move || rank(&mut end))
            })
            .collect();
        threads
            .into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect()
    })
}

fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.to_kind(Kind::Double)).expect("numbers")
}

/// Numbers whose sum depends on its order.
fn input(rank: usize, len: usize, kind: Kind) -> Tensor {
    let at = |i: usize| ((i * 37 + rank * 101) as f64).sin() * 10_f64.powi((i % 7) as i32);
    let all: Vec<f64> = (0..len).map(at).collect();
    Tensor::from_slice(&all).to_kind(kind)
}

#[test]
fn shards_are_summed_in_rank_order_and_put_together() {
    for kind in [Kind::Float, Kind::Double] {
        for (ranks, len) in [(1, 10), (2, 96), (3, 200_003), (4, 64)] {
            let mut wanted = input(0, len, kind);
            for rank in 1..ranks {
                wanted += input(rank, len, kind);
            }
            let summed = on_ranks(ranks, |end| {
                let buffer = input(end.rank(), len, kind);
                let rank = end.rank() as f64;
                let heard = end.reduce_scatter(&buffer, &[rank]).expect("summed");
                assert!((0..).zip(heard).all(|(i, words)| words == [f64::from(i)]));
                end.exchange(&[]).expect("met");
                let heard = end.all_gather(&buffer, &[-rank]).expect("put together");
                assert!((0..).zip(heard).all(|(i, words)| words == [f64::from(-i)]));
                values(&buffer)
            });
            for buffer in summed {
                assert_eq!(
                    buffer.expect("no panic"),
                    values(&wanted),
                    "{ranks} ranks, {len}"
                );
            }
        }
    }
}

#[test]
fn words_and_tensors_come_in_rank_order() {
    let heard = on_ranks(3, |end| {
        let rank = end.rank() as f64;
        let words = end.exchange(&[rank, -rank]).expect("met");
        // As many as its number, and of that length.
        let each = Tensor::full([end.rank() as i64], rank, (Kind::Float, Device::Cpu));
        let mine: Vec<Tensor> = (0..end.rank()).map(|_| each.shallow_clone()).collect();
        let all = end.gather(&mine).expect("met");
        let of_one = |tensors: &Vec<Tensor>| tensors.iter().map(values).collect::<Vec<_>>();
        (words, all.iter().map(of_one).collect::<Vec<_>>())
    });
    for (words, tensors) in heard.into_iter().map(|heard| heard.expect("no panic")) {
        assert_eq!(words, [[0.0, 0.0], [1.0, -1.0], [2.0, -2.0]]);
        assert_eq!(tensors, [vec![], vec![vec![1.0]], vec![vec![2.0; 2]; 2]]);
    }
}

#[test]
fn a_rank_that_is_gone_stops_all_others() {
    for lost in 0..3 {
        let ends = on_ranks(3, |end| {
            for _ in 0..3 {
                end.exchange(&[1.0]).expect("all are there");
            }
            if end.rank() == lost {
                return Ok(Vec::new());
            }
            end.exchange(&[2.0])
        });
        for (rank, end) in ends.into_iter().enumerate() {
            assert_eq!(end.expect("no panic").is_err(), rank != lost, "rank {rank}");
        }
    }
}

//! throwaway
use usher_expr::vectors;
#[test]
fn shared() {
    let Ok(path) = std::env::var("SHARED_VECTORS") else { return };
    let all = vectors::load(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut bad = 0;
    for v in &all {
        if let Err(f) = vectors::run(v) {
            bad += 1;
            println!("{f}");
        }
    }
    println!("{} of {} failed", bad, all.len());
    assert_eq!(bad, 0);
}

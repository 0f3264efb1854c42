//! Placeholder.
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let mut o = rocker_pack::Options::new(&a[1], &a[2]);
    o.force = true;
    o.block_size = a[3].parse().unwrap();
    o.compression = clap::ValueEnum::from_str(&a[4], true).unwrap();
    o.level = a.get(5).map(|l| l.parse().unwrap());
    println!("{:#?}", rocker_pack::build(&o).unwrap());
}

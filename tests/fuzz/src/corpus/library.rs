//! Plugin libraries, as far as the parent reads them.

/// A library's bytes with one loadable segment and the record in a section of
/// its own; and the head of this very program.
pub(crate) fn records() -> Vec<Vec<u8>> {
    let names = b"\0.flops_fit\0.shstrtab\0";
    let record = record();
    let (record_at, names_at) = (120, 120 + record.len());
    let sections_at = (names_at + names.len()).next_multiple_of(8);
    let mut file = Vec::new();
    file.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    file.extend([3_u16, 62].map(u16::to_le_bytes).concat());
    file.extend(1_u32.to_le_bytes());
    file.extend([0, 64, sections_at as u64].map(u64::to_le_bytes).concat());
    file.extend(0_u32.to_le_bytes());
    file.extend([64_u16, 56, 1, 64, 3, 2].map(u16::to_le_bytes).concat());
    // The segment: all that comes before the sections.
    file.extend([1_u32, 5].map(u32::to_le_bytes).concat());
    let length = sections_at as u64;
    file.extend(
        [0, 0, 0, length, length, 4096]
            .map(u64::to_le_bytes)
            .concat(),
    );
    file.extend(&record);
    file.extend(names);
    file.resize(sections_at, 0);
    let mut section = |name: u32, kind: u32, at: usize, len: usize| {
        file.extend([name, kind].map(u32::to_le_bytes).concat());
        file.extend([0, 0, at as u64, len as u64].map(u64::to_le_bytes).concat());
        file.extend(0_u64.to_le_bytes());
        file.extend([1, 0].map(u64::to_le_bytes).concat());
    };
    section(0, 0, 0, 0);
    section(1, 1, record_at, record.len());
    section(12, 3, names_at, names.len());
    vec![file]
}

/// The record's bytes, field by field.
fn record() -> Vec<u8> {
    let mut bytes = b"flops-fit plugin".to_vec();
    let text = |text: &str, len: usize| {
        let mut field = text.as_bytes().to_vec();
        field.resize(len, 0);
        field
    };
    let fields = [
        ("0.26.0", 16),
        ("2.13.0", 32),
        ("rustc 1.95.0", 64),
        ("unwind", 8),
        ("0.1.0", 16),
        ("flops-fit-mine", 64),
        ("0.1.0", 32),
        ("model gpt\ndataset text\nloss cross_entropy\n", 1024),
    ];
    let length = 28 + fields.iter().map(|(_, len)| *len as u32).sum::<u32>();
    bytes.extend(
        [
            flops_fit_record::ABI_MAJOR,
            flops_fit_record::ABI_MINOR,
            length,
        ]
        .map(u32::to_le_bytes)
        .concat(),
    );
    for (value, len) in fields {
        bytes.extend(text(value, len));
    }
    bytes
}

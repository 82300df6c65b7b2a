//! `new`, `setup` and `doctor`.

use super::{CommandError, print_as};
use crate::{
    args::{Doctor, Format, New},
    doctor,
    exit::Exit,
    new, setup,
    worker::Worker,
};

/// `flops-fit new`.
pub(super) fn new(args: &New, format: Format) -> Result<Exit, CommandError> {
    let written = new::write(&args.folder, args.name.as_deref(), args.api.as_deref())?;
    print_as(format, &written, || written.to_string())?;
    Ok(Exit::Success)
}

/// `flops-fit setup`.
pub(super) fn setup(options: &setup::Options, format: Format) -> Result<Exit, CommandError> {
    let report = setup::run(options, &mut std::io::stderr().lock())?;
    print_as(format, &report, || report.to_string())?;
    Ok(Exit::Success)
}

/// `flops-fit doctor`.
pub(super) fn doctor(args: &Doctor, format: Format) -> Result<Exit, CommandError> {
    let options = doctor::Options {
        worker: Worker::find().ok().map(|worker| worker.path().to_owned()),
        output: args.output.clone(),
    };
    let report = doctor::run(&options)?;
    print_as(format, &report, || report.to_string())?;
    Ok(match report.status() {
        doctor::Status::Problem => Exit::Environment,
        doctor::Status::Ok | doctor::Status::Warning => Exit::Success,
    })
}

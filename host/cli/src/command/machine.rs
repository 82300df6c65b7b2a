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
    let worker = Worker::find().ok().map(|worker| worker.path().to_owned());
    if args.gpu {
        let verdict = doctor::check_gpus(worker.as_deref());
        print_as(format, &verdict, || verdict.to_string())?;
        return Ok(if verdict.is_fit() {
            Exit::Success
        } else {
            Exit::Environment
        });
    }
    let options = doctor::Options {
        worker,
        output: args.output.clone(),
    };
    let report = doctor::run(&options)?;
    print_as(format, &report, || report.to_string())?;
    Ok(match report.status() {
        doctor::Status::Problem => Exit::Environment,
        doctor::Status::Ok | doctor::Status::Warning => Exit::Success,
    })
}

//! The program `rocker`: see the library of the crate.
#![no_std]
#![no_main]

use rocker_mem as _;

rocker_sys::program!(rocker_cli::main);
